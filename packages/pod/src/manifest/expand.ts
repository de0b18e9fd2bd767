// $(NAME) in command, args and env values, as the kubelet expands it.

/** `$$(NAME)` is an escaped `$(NAME)`; a reference to an unknown variable stays as it is. */
export function expand(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replace(/\$\$|\$\(([^()]*)\)/g, (whole, name: string | undefined) => {
    if (name === undefined) return '$';
    return Object.hasOwn(variables, name) ? variables[name]! : whole;
  });
}

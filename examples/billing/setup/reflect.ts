// The part of the old metadata proposal that @peculiar/x509 asks for when it is loaded. Import it before that.

type Key = string | symbol;
const metadata = new WeakMap<object, Map<Key, unknown>>();

Object.assign(Reflect, {
  defineMetadata(key: Key, value: unknown, target: object) {
    const own = metadata.get(target) ?? new Map<Key, unknown>();
    metadata.set(target, own.set(key, value));
  },
  getOwnMetadata: (key: Key, target: object) => metadata.get(target)?.get(key),
  getMetadata: (key: Key, target: object) => metadata.get(target)?.get(key),
});

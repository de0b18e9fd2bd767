// Several streams as one, each of them asked again once what it gave is done with.

type Answer<T> = { readonly from: AsyncIterator<T> } & (
  | { readonly result: IteratorResult<T> }
  | { readonly error: unknown }
);

/** Of several that have something, each has its turn. What one throws is thrown. */
export async function* byTurns<T>(all: readonly AsyncIterable<T>[]): AsyncGenerator<T> {
  const answers: Answer<T>[] = [];
  let bell = Promise.withResolvers<void>();
  const tell = (answer: Answer<T>) => {
    answers.push(answer);
    bell.resolve();
  };
  // Each is waited for once, however long it is silent: a race over all of them would leave something behind with every
  // silent one each time, for as long as it says nothing.
  const ask = (from: AsyncIterator<T>) => {
    from.next().then(
      (result) => tell({ from, result }),
      (error: unknown) => tell({ from, error }),
    );
  };
  for (const each of all) ask(each[Symbol.asyncIterator]());
  for (let left = all.length; left > 0; ) {
    const answer = answers.shift();
    if (!answer) {
      bell = Promise.withResolvers();
      await bell.promise;
    } else if ('error' in answer) throw answer.error;
    else if (answer.result.done) left--;
    else {
      yield answer.result.value;
      ask(answer.from);
    }
  }
}

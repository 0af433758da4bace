/** Answers 201. Returns the answer instead of sending it, so that its type is checked against the route's. */
export function created<T>(reply: { code: (status: number) => unknown }, answer: T): T {
  reply.code(201);
  return answer;
}

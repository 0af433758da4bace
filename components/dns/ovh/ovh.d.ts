declare module "ovh" {
  interface Params {
    readonly host: string;
    readonly port: number;
    readonly basePath: string;
    readonly appKey: string;
    readonly appSecret: string;
    readonly consumerKey: string;
  }
  interface Client {
    /** Rejects with `{ error, message }`: the status, a number or text of the network, or an Error; the API's words. */
    requestPromised(method: string, path: string, params?: Record<string, unknown>): PromiseLike<unknown>;
  }
  const create: (params: Params) => Client;
  export default create;
}

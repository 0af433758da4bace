declare module "tzdata/tzdata.js" {
  const tzdata: { readonly version: string; readonly zones: Readonly<Record<string, unknown>> };
  export default tzdata;
}

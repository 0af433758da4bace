/** The images of a sandbox: made on this machine, or pulled from the public registries. */
export const IMAGE_SOURCES = ["built", "upstream"] as const;
export type ImageSource = (typeof IMAGE_SOURCES)[number];

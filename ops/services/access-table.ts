import type { Access } from "../../components/service/plan/access.ts";
import { textTable } from "../stack/text-table.ts";

const HIDDEN = "[secret]";

/** The same rows without passwords and keys. */
export const hideSecrets = (rows: readonly Access[]): Access[] =>
  rows.map((row) => ({
    ...row,
    ...(row.password !== undefined && { password: HIDDEN }),
    ...(row.key !== undefined && { key: HIDDEN }),
  }));

/** What `vpai output` prints of a stack's services. */
export const accessTable = (rows: readonly Access[]): string =>
  textTable(
    ["SERVICE", "ADDRESS", "FOR", "USER", "PASSWORD", "KEY"],
    rows.map(({ service, address, audience, user = "-", password = "-", key = "-" }) => [
      service,
      address,
      audience,
      user,
      password,
      key,
    ]),
  );

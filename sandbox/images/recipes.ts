import { caddy } from "./caddy/recipe.ts";
import { n8nDouble } from "./n8n-double/recipe.ts";
import { n8n } from "./n8n/recipe.ts";
import { postgres } from "./postgres/recipe.ts";
import type { Recipe } from "./recipe.ts";
import { redis } from "./redis/recipe.ts";

/** Every image the sandbox can make. Where a product has two, the double is the default and the real one is `full`. */
export const recipes: readonly Recipe[] = [postgres, redis, caddy, n8nDouble, n8n];

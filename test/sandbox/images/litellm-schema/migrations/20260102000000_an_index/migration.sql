-- Alone in its file: this may not be inside a transaction.
CREATE INDEX CONCURRENTLY IF NOT EXISTS "Owner_spend_idx" ON "Owner" ("spend");

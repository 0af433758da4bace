CREATE TYPE "Level" AS ENUM ('low', 'high');
CREATE TABLE "Owner" (
  "id" TEXT NOT NULL PRIMARY KEY,
  "email" TEXT,
  "metadata" JSONB NOT NULL DEFAULT '{}',
  "spend" DOUBLE PRECISION NOT NULL DEFAULT 0.0,
  "limit" BIGINT,
  "models" TEXT[],
  "level" "Level" NOT NULL DEFAULT 'low',
  "created_at" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX "Owner_email_key" ON "Owner" ("email");
CREATE TABLE "Token" (
  "name" TEXT NOT NULL PRIMARY KEY,
  "path" TEXT,
  "ownerId" TEXT REFERENCES "Owner" ("id")
);
CREATE UNIQUE INDEX "Token_ownerId_path_key" ON "Token" ("ownerId", "path");

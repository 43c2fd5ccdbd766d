// One database under TypeORM, and what is asked of it.

import { DataSource, type EntityTarget, type FindManyOptions, type ObjectLiteral } from "typeorm";

import { schema } from "./columns.js";
import { Author, Category, Document, Passage, Profile, PublishedDocument, Tag } from "./entities.js";
import { Start1700000000000 } from "./migrations.js";

export async function openDatabase(): Promise<DataSource> {
  const shared = {
    url: process.env["DATABASE_URL"] ?? "",
    entities: [Author, Category, Document, Passage, Profile, PublishedDocument, Tag],
    migrations: [Start1700000000000],
    poolSize: 1,
  };
  if (schema !== "mysql") {
    // pgcrypto stands for gen_random_uuid(), PostgreSQL's own; TypeORM's other choice needs the extension uuid-ossp.
    return new DataSource({ type: "postgres", uuidExtension: "pgcrypto", ...shared }).initialize();
  }
  const database = await new DataSource({ type: "mysql", ...shared }).initialize();
  // A Date is written in Node's zone; a `timestamp` column is stored right only if the session has the same.
  await database.query("SET time_zone = '+00:00'");
  return database;
}

export async function createSchema(database: DataSource): Promise<void> {
  await database.synchronize();
  await database.runMigrations();
}

/** Returns the statements that `typeorm schema:log` prints and `migration:generate` would write. */
export async function schemaLog(database: DataSource): Promise<string[]> {
  const { upQueries } = await database.driver.createSchemaBuilder().log();
  return upQueries.map((statement) => statement.query);
}

/** Returns every entity with its relations. */
export async function dump(database: DataSource): Promise<Record<string, ObjectLiteral[]>> {
  const read = <T extends ObjectLiteral>(entity: EntityTarget<T>, options: FindManyOptions<T>): Promise<T[]> =>
    database.getRepository(entity).find(options);
  return {
    Author: await read(Author, { relations: { profile: true }, order: { id: "ASC" } }),
    Category: await read(Category, {
      relations: { parent: true, children: true },
      order: { id: "ASC", children: { id: "ASC" } },
    }),
    Document: await read(Document, {
      relations: { author: true, category: true, tags: true, passages: true },
      order: { id: "ASC", tags: { id: "ASC" }, passages: { id: "ASC" } },
    }),
    Passage: await read(Passage, { relations: { document: true }, order: { id: "ASC" } }),
    Profile: await read(Profile, { relations: { author: true }, order: { id: "ASC" } }),
    PublishedDocument: await read(PublishedDocument, { order: { id: "ASC" } }),
    Tag: await read(Tag, { order: { id: "ASC" } }),
  };
}

// What the test asks of TypeORM: SCHEMA=mysql|typeorm|vecferry DATABASE_URL=... node main.js COMMAND

import { createSchema, dump, openDatabase, schemaLog } from "./database.js";
import { fill, insert } from "./sample.js";

const commands = { "create-schema": createSchema, fill, dump, "schema-log": schemaLog, insert };

async function main(name: string): Promise<void> {
  const command = Object.entries(commands).find(([known]) => known === name)?.[1];
  if (command === undefined) throw new Error(`unknown command ${name}: expected ${Object.keys(commands).join(", ")}`);
  const database = await openDatabase();
  try {
    const result = await command(database);
    if (result !== undefined) console.log(JSON.stringify(result, tagged));
  } finally {
    await database.destroy();
  }
}

// JSON would turn a Date into the string that another driver may return in its place.
function tagged(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const original = this[key];
  if (original instanceof Date) return { Date: original.getTime() };
  if (original instanceof Float32Array) return { Float32Array: Array.from(original) };
  return value;
}

main(process.argv[2] ?? "").catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});

// Everything in which the entities differ: MySQL, PostgreSQL as TypeORM makes it, PostgreSQL as vecferry makes it.
// The table in docs/typeorm.md names each difference of the third from the first.

import {
  AfterLoad,
  BeforeInsert,
  Index,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  Unique,
  type ColumnOptions,
  type ValueTransformer,
} from "typeorm";

export const DIMENSIONS = 64;

export type Schema = "mysql" | "typeorm" | "vecferry";

// Decorators run when their module is loaded, so the choice has to stand before any entity is defined.
export const schema = readSchema(process.env["SCHEMA"]);

function readSchema(name: string | undefined): Schema {
  if (name === "mysql" || name === "typeorm" || name === "vecferry") return name;
  throw new Error(`SCHEMA is ${name ?? "not set"}: expected mysql, typeorm or vecferry`);
}

function by<T>(options: Record<Schema, T>): T {
  return options[schema];
}

const jsonText: ValueTransformer = {
  to: (value: Float32Array | null) => value && JSON.stringify(value),
  from: (text: string | null) => text && Float32Array.from(Object.values(JSON.parse(text) as Record<string, number>)),
};

// TypeORM 1.1.1 passes over `from` where the type is vector: what reads it is `AfterLoadOfVector`.
const numbers: ValueTransformer = {
  to: (value: Float32Array | null) => value && Array.from(value),
  from: (value: number[] | null) => value,
};

const bit: ValueTransformer = {
  to: (value: boolean | null | undefined) => (typeof value === "boolean" ? Number(value) : value),
  from: (value: number | null) => (value === null ? value : value !== 0),
};

const number: ValueTransformer = {
  to: (value: number | null | undefined) => value,
  from: (value: string | null) => value && Number(value),
};

// Options

const vector: ColumnOptions = { type: "vector", length: DIMENSIONS, transformer: numbers };

export const embedding = by<ColumnOptions>({
  mysql: { type: "longtext", transformer: jsonText },
  typeorm: vector,
  vecferry: vector,
});

export const longText = by<ColumnOptions>({
  mysql: { type: "longtext" },
  typeorm: { type: "text" },
  vecferry: { type: "text" },
});

export const dateTime = by<ColumnOptions>({
  mysql: { type: "datetime", precision: 6 },
  typeorm: { type: "timestamp" },
  vecferry: { type: "timestamp" },
});

export const wholeSecond = by<ColumnOptions>({
  mysql: { type: "datetime" },
  typeorm: { type: "timestamp", precision: 0 },
  vecferry: { type: "timestamp", precision: 0 },
});

export const instant = by<ColumnOptions>({
  mysql: { type: "timestamp", precision: 3 },
  typeorm: { type: "timestamptz", precision: 3 },
  vecferry: { type: "timestamptz", precision: 3 },
});

export const string = by<ColumnOptions>({ mysql: {}, typeorm: {}, vecferry: { length: 255 } });

export const uniqueString = by<ColumnOptions>({ mysql: {}, typeorm: {}, vecferry: { length: 255, unique: true } });

export const twoLetters = by<ColumnOptions>({
  mysql: { type: "char", length: 2 },
  typeorm: { type: "char", length: 2 },
  vecferry: { type: "varchar", length: 2 },
});

export const labels = (values: string[]): ColumnOptions =>
  by<ColumnOptions>({
    mysql: { type: "set", enum: values },
    typeorm: { type: "text", array: true },
    vecferry: { type: "text", array: true },
  });

export const sixteenBytes = by<ColumnOptions>({
  mysql: { type: "binary", length: 16 },
  typeorm: { type: "bytea" },
  vecferry: { type: "bytea" },
});

export const json = by<ColumnOptions>({
  mysql: { type: "json" },
  typeorm: { type: "jsonb" },
  vecferry: { type: "jsonb" },
});

export const float32 = by<ColumnOptions>({
  mysql: { type: "float" },
  typeorm: { type: "real" },
  vecferry: { type: "real" },
});

export const count = by<ColumnOptions>({
  mysql: { type: "int", unsigned: true },
  typeorm: { type: "int" },
  vecferry: { type: "bigint", transformer: number },
});

export const flag = by<ColumnOptions>({
  mysql: { type: Boolean },
  typeorm: { type: Boolean },
  vecferry: { type: "smallint", transformer: bit },
});

export const isTrue = by<ColumnOptions>({
  mysql: { ...flag, default: true },
  typeorm: { ...flag, default: true },
  vecferry: { ...flag, default: 1 },
});

export const timeOfDay = by<ColumnOptions>({
  mysql: { type: "time" },
  typeorm: { type: "time" },
  vecferry: { type: "time", precision: 0 },
});

export const zeroMoney = by<ColumnOptions>({
  mysql: { default: 0 },
  typeorm: { default: 0 },
  vecferry: { default: () => "0.00" },
});

// Decorators

const nothing: PropertyDecorator = () => undefined;

export const UuidKey = by<() => PropertyDecorator>({
  mysql: () => PrimaryGeneratedColumn("uuid"),
  typeorm: () => PrimaryGeneratedColumn("uuid"),
  vecferry: () => PrimaryColumn("varchar", { length: 36 }),
});

export const BeforeInsertOfUuid = by<() => PropertyDecorator>({
  mysql: () => nothing,
  typeorm: () => nothing,
  vecferry: BeforeInsert,
});

export const AfterLoadOfVector = by<() => PropertyDecorator>({
  mysql: () => nothing,
  typeorm: AfterLoad,
  vecferry: AfterLoad,
});

// PostgreSQL has it as a constraint under `unique: true`.
export const UniqueIndex = by<() => PropertyDecorator>({
  mysql: () => Index({ unique: true }),
  typeorm: () => Index({ unique: true }),
  vecferry: () => nothing,
});

export const UniqueTogether = by<(mysqlIndex: string, properties: string[]) => ClassDecorator>({
  mysql: (_, properties) => Unique(properties),
  typeorm: (_, properties) => Unique(properties),
  vecferry: (mysqlIndex, properties) => Unique(mysqlIndex, properties),
});

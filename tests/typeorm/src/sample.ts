// The rows of the sample: a few dozen of each entity, with the values at the edges.

import type { DataSource, EntityManager } from "typeorm";

import { DIMENSIONS } from "./columns.js";
import { Author, Category, Document, Passage, Profile, Status, Tag } from "./entities.js";

const COUNT = 24;

const names = ["Ada", "Łukasz Żółw", "愛子", "Zoë O'Brien", 'Quote "Q"', "back\\slash", "🦀 crab", "Ωmega\ttab"];
const balances = ["0.00", "-0.01", "9999999999.99", "-9999999999.99", "1234.50"];
const followers = ["0", "9007199254740993", "-9223372036854775808", "9223372036854775807"];
const settings = [
  {},
  [],
  null,
  "text",
  { theme: "dark", nested: { ü: [1, 2.5, null, true] } },
  { empty: "", quote: "'\"\\" },
];
const languages = [[], ["en"], ["de", "日本語"], ["a b", " c "], null];
const times = ["00:00:00", "23:59:59", "07:30:15", null];
const dates = ["1970-01-01", "2000-02-29", "1815-12-10", "9999-12-31", null];

function pick<T>(values: readonly T[], index: number): T {
  return values[index % values.length] as T;
}

function vector(seed: number): Float32Array {
  return Float32Array.from({ length: DIMENSIONS }, (_, i) => Math.sin(seed * DIMENSIONS + i) * 10 ** (-(i % 9)));
}

// The smallest and largest float32, a subnormal, both zeros, and numbers that JSON prints with an exponent.
function edges(): Float32Array {
  const values = [0, -0, 1.401298464324817e-45, -1.1754943508222875e-38, 3.4028234663852886e38, 1e21, 1e-7, 0.1, 1 / 3];
  return Float32Array.from({ length: DIMENSIONS }, (_, i) => pick(values, i));
}

function embeddingOf(index: number): Float32Array | null {
  if (index === 0) return edges();
  return index % 7 === 3 ? null : vector(index);
}

function make<T extends object>(
  manager: EntityManager,
  entity: new () => T,
  count: number,
  row: (i: number) => Partial<T>,
): Promise<T[]> {
  const rows = Array.from({ length: count }, (_, i) => Object.assign(new entity(), row(i)));
  return manager.save(rows);
}

/** Inserts every row through TypeORM; microseconds, which a Date cannot hold, by SQL. */
export async function fill(database: DataSource): Promise<void> {
  const { manager } = database;
  const authors = await make(manager, Author, COUNT, (i) => ({
    email: `author${i}@example.org`,
    displayName: pick(names, i),
    isActive: i % 3 !== 0,
    acceptsMail: pick([true, null, false, false], i),
    balance: pick(balances, i),
    followerCount: pick(followers, i),
    rating: i % 4 === 0 ? null : i - 12,
    birthDate: pick(dates, i),
    wakesAt: pick(times, i),
    country: pick(["DE", null, "PL"], i),
    interests: pick([[], ["art"], ["art", "sport", "it's music"]], i),
    lastSeenAt: i % 5 === 0 ? null : new Date(Date.UTC(2024, i % 12, 29, i, 30, 15, 7 * i)),
  }));
  await make(manager, Profile, COUNT - 2, (i) => ({
    author: pick(authors, i),
    settings: pick(settings, i),
    languages: pick(languages, i),
  }));
  const categories: Category[] = [];
  for (let i = 0; i < COUNT; i++) {
    const parent = i % 6 === 0 ? null : pick(categories, i >> 1);
    categories.push(await manager.save(Object.assign(new Category(), { name: `${pick(names, i)} ${i}`, parent })));
  }
  const tags = await make(manager, Tag, COUNT, (i) => ({ name: `${pick(names, i)}-${i}` }));
  const documents = await make(manager, Document, 2 * COUNT, (i) => ({
    slug: `slug-${i >> 1}`,
    title: `${pick(names, i)} writes ${i}`,
    body: i === 1 ? "" : `${pick(names, i)}\r\n`.repeat(i * i),
    status: pick(Object.values(Status), i),
    contentType: pick(["text/html", null, "text/plain"], i),
    score: pick([null, 0, -1.5, 1e300, 5e-324, 0.1], i),
    publishedAt: i % 4 === 0 ? null : new Date(Date.UTC(1969 + i, 11, 31, 23, 59, 59, 999)),
    archivedAt: i % 3 === 0 ? null : new Date(Date.UTC(2000 + i, 1, 28, 0, 0, i)),
    wordCount: pick([null, 0, 1234], i),
    viewCount: pick([0, 2147483647, 17], i),
    checksum: i % 2 === 0 ? null : Buffer.from(Array.from({ length: 16 }, (_, b) => (b * i) % 256)),
    author: pick(authors, i),
    category: i % 5 === 0 ? null : pick(categories, i),
    tags: tags.filter((_, t) => i % 8 !== 0 && (t + i) % 5 === 0),
  }));
  await make(manager, Passage, 3 * COUNT, (i) => ({
    document: pick(documents, i),
    position: i,
    content: `${pick(names, i)} says ${i}`,
    source: pick(settings, i),
    weight: pick([null, 0, -1.25, 0.5], i),
    embedding: embeddingOf(i),
  }));
  await database.query("UPDATE document SET publishedAt = '2024-02-29 12:34:56.123456' WHERE title LIKE '% 1_'");
}

/** Inserts one row of each entity, the database numbering it, and returns the ids. */
export async function insert({ manager }: DataSource): Promise<Record<string, unknown>> {
  const person = { email: "new@example.org", displayName: "new", interests: [] };
  const author = await manager.save(Object.assign(new Author(), person));
  const profile = await manager.save(Object.assign(new Profile(), { author, settings: { new: true } }));
  const category = await manager.save(Object.assign(new Category(), { name: "new" }));
  const tag = await manager.save(Object.assign(new Tag(), { name: "new" }));
  const row = { slug: "new", title: "new", body: "", author, category, tags: [tag] };
  const document = await manager.save(Object.assign(new Document(), row));
  const text = { document, position: 0, content: "new", embedding: vector(99) };
  const passage = await manager.save(Object.assign(new Passage(), text));
  return {
    Author: author.id,
    Category: category.id,
    Document: document.id,
    Passage: passage.id,
    Profile: profile.id,
    Tag: tag.id,
  };
}

// A publisher's application; what differs between the databases is in columns.ts.

import { randomUUID } from "node:crypto";

import "reflect-metadata";
import {
  Column,
  CreateDateColumn,
  Entity,
  Index,
  JoinColumn,
  JoinTable,
  ManyToMany,
  ManyToOne,
  OneToMany,
  OneToOne,
  PrimaryGeneratedColumn,
  UpdateDateColumn,
  VersionColumn,
  ViewColumn,
  ViewEntity,
  type Relation,
} from "typeorm";

import {
  AfterLoadOfVector,
  BeforeInsertOfUuid,
  UniqueIndex,
  UniqueTogether,
  UuidKey,
  count,
  dateTime,
  embedding,
  flag,
  float32,
  instant,
  isTrue,
  json,
  labels,
  longText,
  schema,
  sixteenBytes,
  string,
  timeOfDay,
  twoLetters,
  uniqueString,
  wholeSecond,
  zeroMoney,
} from "./columns.js";

export enum Status {
  Draft = "draft",
  Published = "published",
  Archived = "it's archived",
}

@Entity({ comment: "Those who write, it's said" })
export class Author {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column({ ...string, unique: true })
  email!: string;

  @Column({ length: 80, comment: "What readers see; it's not unique" })
  displayName!: string;

  @Column({ ...isTrue })
  isActive!: boolean;

  @Column({ ...flag, nullable: true })
  acceptsMail!: boolean | null;

  @Column({ type: "decimal", precision: 12, scale: 2, ...zeroMoney })
  balance!: string;

  @Column({ type: "bigint", default: 0 })
  followerCount!: string;

  @Column({ type: "smallint", nullable: true })
  rating!: number | null;

  @Column({ type: "date", nullable: true })
  birthDate!: string | null;

  @Column({ ...timeOfDay, nullable: true })
  wakesAt!: string | null;

  @Column({ ...twoLetters, nullable: true })
  country!: string | null;

  @Column({ ...labels(["art", "sport", "it's music"]) })
  interests!: string[];

  @Column({ ...instant, nullable: true })
  lastSeenAt!: Date | null;

  @CreateDateColumn()
  createdAt!: Date;

  @UpdateDateColumn()
  updatedAt!: Date;

  @OneToMany(() => Document, (document) => document.author)
  documents!: Relation<Document[]>;

  @OneToOne(() => Profile, (profile) => profile.author)
  profile!: Relation<Profile> | null;
}

@Entity()
export class Profile {
  @UuidKey()
  id!: string;

  @BeforeInsertOfUuid()
  numberIt(): void {
    this.id ??= randomUUID();
  }

  @OneToOne(() => Author, (author) => author.profile, { onDelete: "CASCADE" })
  @JoinColumn()
  author!: Relation<Author>;

  @Column({ type: "simple-json", nullable: true })
  settings!: unknown;

  @Column({ type: "simple-array", nullable: true })
  languages!: string[] | null;
}

@Entity()
export class Category {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column({ ...uniqueString })
  @UniqueIndex()
  name!: string;

  @ManyToOne(() => Category, (category) => category.children, { nullable: true })
  parent!: Relation<Category> | null;

  @OneToMany(() => Category, (category) => category.parent)
  children!: Relation<Category[]>;
}

@Entity()
export class Tag {
  @PrimaryGeneratedColumn({ type: "bigint" })
  id!: string;

  @Column({ type: "varchar", length: 40, unique: true })
  name!: string;
}

@Entity()
@UniqueTogether("IDX_78428197bac7689887e1aad262", ["author", "slug"])
@Index(["status", "publishedAt"])
export class Document {
  @UuidKey()
  id!: string;

  @BeforeInsertOfUuid()
  numberIt(): void {
    this.id ??= randomUUID();
  }

  @Column({ ...string })
  slug!: string;

  @Column({ ...string })
  @Index()
  title!: string;

  @Column({ ...longText })
  body!: string;

  @Column({ type: "enum", enum: Status, default: Status.Draft })
  status!: Status;

  @Column({ type: "enum", enum: ["text/html", "text/plain"], nullable: true })
  contentType!: string | null;

  @Column({ type: "double precision", nullable: true })
  score!: number | null;

  @Column({ ...dateTime, nullable: true })
  publishedAt!: Date | null;

  @Column({ ...wholeSecond, nullable: true })
  archivedAt!: Date | null;

  @Column({ ...count, nullable: true })
  wordCount!: number | null;

  @Column({ ...count, default: 0 })
  viewCount!: number;

  @Column({ ...sixteenBytes, nullable: true })
  checksum!: Buffer | null;

  @VersionColumn()
  version!: number;

  @CreateDateColumn()
  createdAt!: Date;

  @UpdateDateColumn()
  updatedAt!: Date;

  @ManyToOne(() => Author, (author) => author.documents, { onDelete: "CASCADE" })
  author!: Relation<Author>;

  @ManyToOne(() => Category, { onDelete: "SET NULL", nullable: true })
  category!: Relation<Category> | null;

  @ManyToMany(() => Tag)
  @JoinTable()
  tags!: Relation<Tag[]>;

  @OneToMany(() => Passage, (passage) => passage.document)
  passages!: Relation<Passage[]>;
}

@Entity()
export class Passage {
  @PrimaryGeneratedColumn()
  id!: number;

  @ManyToOne(() => Document, (document) => document.passages, { onDelete: "CASCADE" })
  document!: Relation<Document>;

  @Column({ type: "int" })
  position!: number;

  @Column({ type: "text" })
  content!: string;

  @Column({ ...json, nullable: true })
  source!: unknown;

  @Column({ ...float32, nullable: true })
  weight!: number | null;

  // TypeORM knows no HNSW index: without this line it would drop the one that it finds.
  @Index("passage_embedding_hnsw", { synchronize: false })
  @Column({ ...embedding, nullable: true })
  embedding!: Float32Array | null;

  @AfterLoadOfVector()
  useFloat32(): void {
    this.embedding &&= Float32Array.from(this.embedding);
  }
}

// TypeORM makes it in MySQL, where the view brings the table typeorm_metadata about; vecferry carries it.
@ViewEntity({
  synchronize: schema === "mysql",
  expression: "SELECT id, title, version FROM document WHERE status = 'published'",
})
export class PublishedDocument {
  @ViewColumn()
  id!: string;

  @ViewColumn()
  title!: string;

  @ViewColumn()
  version!: number;
}

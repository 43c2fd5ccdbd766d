// A migration that does nothing: running it makes TypeORM's table `migrations` and its row.

import type { MigrationInterface } from "typeorm";

export class Start1700000000000 implements MigrationInterface {
  async up(): Promise<void> {}

  async down(): Promise<void> {}
}

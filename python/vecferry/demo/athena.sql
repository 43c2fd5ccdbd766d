-- The tables as TypeORM creates them for the application "athena": hashed names, camelCase columns.
CREATE TABLE `meta_media` (
  `id` int NOT NULL AUTO_INCREMENT,
  `type` enum('image','video','audio','document') NOT NULL DEFAULT 'image',
  `url` varchar(500) NOT NULL,
  `alt` varchar(255) NULL,
  `mimeType` varchar(100) NULL,
  `sizeBytes` bigint UNSIGNED NULL,
  `checksum` binary(16) NULL,
  `isPublic` tinyint(1) NOT NULL DEFAULT '1',
  `rank` tinyint NOT NULL DEFAULT '0',
  `createdAt` datetime(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE `content` (
  `id` int NOT NULL AUTO_INCREMENT,
  `title` varchar(255) NOT NULL,
  `slug` varchar(191) NOT NULL,
  `body` longtext NOT NULL,
  `status` enum('draft','published','archived') NOT NULL DEFAULT 'draft',
  `tags` set('ai','cloud','data','security','mobile','health','culture','money') NOT NULL DEFAULT '',
  `language` char(2) NOT NULL DEFAULT 'en',
  `price` decimal(10,2) NULL,
  `mediaId` int NULL,
  `publishedOn` date NULL,
  `startsAt` datetime NULL,
  `createdAt` datetime(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  `updatedAt` timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  INDEX `IDX_3af40e8cc4e8f63c8f7f03d773` (`status`, `publishedOn`),
  UNIQUE INDEX `IDX_dfe3ab560d448427f463febbe7` (`slug`),
  PRIMARY KEY (`id`),
  CONSTRAINT `FK_e1740997f3d94cee76a5174b469` FOREIGN KEY (`mediaId`) REFERENCES `meta_media` (`id`)
    ON DELETE SET NULL ON UPDATE NO ACTION
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE `content_embedding` (
  `id` int NOT NULL AUTO_INCREMENT,
  `contentId` int NOT NULL,
  `chunkIndex` int NOT NULL,
  `chunkText` longtext NOT NULL,
  `embedding` longtext NULL,
  `model` varchar(64) NOT NULL DEFAULT 'text-embedding-3-small',
  `createdAt` datetime(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  INDEX `IDX_63d470d74b8b1aa5027f00cdd4` (`contentId`),
  UNIQUE INDEX `IDX_498ccd90c2c8ee4db1fec8b9db` (`contentId`, `chunkIndex`),
  PRIMARY KEY (`id`),
  CONSTRAINT `FK_63d470d74b8b1aa5027f00cdd43` FOREIGN KEY (`contentId`) REFERENCES `content` (`id`)
    ON DELETE CASCADE ON UPDATE NO ACTION
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE `qa_jobs` (
  `id` char(36) NOT NULL,
  `question` text NOT NULL,
  `answer` longtext NULL,
  `status` enum('pending','running','done','failed') NOT NULL DEFAULT 'pending',
  `sources` json NULL,
  `score` double NULL,
  `similarity` float NULL,
  `attempts` smallint UNSIGNED NOT NULL DEFAULT '0',
  `durationMs` int UNSIGNED NULL,
  `contentId` int NULL,
  `createdAt` timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  `updatedAt` timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  INDEX `IDX_1b6b30622b176b8076e27627bf` (`status`),
  UNIQUE INDEX `REL_396d0742b418a681d1d94768fc` (`contentId`),
  PRIMARY KEY (`id`),
  CONSTRAINT `FK_396d0742b418a681d1d94768fc4` FOREIGN KEY (`contentId`) REFERENCES `content` (`id`)
    ON DELETE SET NULL ON UPDATE NO ACTION
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- MySQL dump 10.13  Distrib 8.4.6, for Linux (x86_64)
--
-- Host: localhost    Database: shop
-- ------------------------------------------------------
-- Server version	8.4.6

/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;
/*!50503 SET NAMES utf8mb4 */;
/*!40103 SET @OLD_TIME_ZONE=@@TIME_ZONE */;
/*!40103 SET TIME_ZONE='+00:00' */;
/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;

--
-- Table structure for table `customer`
--

DROP TABLE IF EXISTS `customer`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!50503 SET character_set_client = utf8mb4 */;
CREATE TABLE `customer` (
  `id` bigint unsigned NOT NULL AUTO_INCREMENT,
  `email` varchar(190) NOT NULL COMMENT 'login; it''s unique',
  `first` varchar(80) DEFAULT '',
  `last` varchar(80) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT 'NULL',
  `full_name` varchar(170) GENERATED ALWAYS AS (concat(`first`,_utf8mb4' ',`last`)) VIRTUAL,
  `label` varchar(200) GENERATED ALWAYS AS (concat(_utf8mb4'it\'s ',`größe`)) STORED /*!80023 INVISIBLE */,
  `größe` enum('S','it''s','ü') DEFAULT 'it''s',
  `uid` char(36) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL DEFAULT (uuid()),
  `greeting` varchar(20) DEFAULT (concat(_utf8mb4'é♀',_utf8mb4'!')),
  `profile` json NOT NULL DEFAULT (json_object()),
  `token` varbinary(16) DEFAULT 0x6162FF,
  `flags` bit(3) DEFAULT b'101',
  `age` tinyint unsigned DEFAULT '18',
  `active` tinyint(1) NOT NULL DEFAULT '1' /*!80023 INVISIBLE */,
  `credit` decimal(12,2) NOT NULL DEFAULT '0.00',
  `place` point NOT NULL /*!80003 SRID 4326 */,
  `area` geomcollection DEFAULT NULL,
  `created_at` datetime(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  `updated_at` timestamp NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  `expires` date DEFAULT ((curdate() + interval 1 year)),
  PRIMARY KEY (`id`),
  UNIQUE KEY `email_key` (`email`),
  UNIQUE KEY `active_key` (`active`) /*!80000 INVISIBLE */,
  SPATIAL KEY `places` (`place`),
  KEY `by_email` ((lower(`email`))),
  KEY `by_tag` ((cast(json_extract(`profile`,_utf8mb4'$.tags') as char(20) array))),
  KEY `newest` (`created_at` DESC,((`age` + 1)),`last`(10)),
  FULLTEXT KEY `words` (`last`) /*!50100 WITH PARSER `ngram` */ ,
  CONSTRAINT `customer_chk_1` CHECK ((`age` >= 0))
) ENGINE=InnoDB AUTO_INCREMENT=1201 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci COMMENT='who buys'
/*!50100 PARTITION BY RANGE (`id`)
(PARTITION p0 VALUES LESS THAN (1000) ENGINE = InnoDB,
 PARTITION p1 VALUES LESS THAN MAXVALUE ENGINE = InnoDB) */;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Table structure for table `migrations`
--

DROP TABLE IF EXISTS `migrations`;
CREATE TABLE `migrations` (
  `id` int NOT NULL AUTO_INCREMENT,
  `timestamp` bigint NOT NULL,
  `name` varchar(255) NOT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB AUTO_INCREMENT=32 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;

--
-- Table structure for table `purchase`
--

DROP TABLE IF EXISTS `purchase`;
CREATE TABLE `purchase` (
  `my_row_id` bigint unsigned NOT NULL AUTO_INCREMENT /*!80023 INVISIBLE */,
  `customer_id` bigint unsigned DEFAULT NULL,
  `state` varchar(9) NOT NULL DEFAULT 'new',
  `total` double NOT NULL,
  PRIMARY KEY (`my_row_id`),
  KEY `customer_id` (`customer_id`),
  CONSTRAINT `purchase_ibfk_1` FOREIGN KEY (`customer_id`) REFERENCES `customer` (`id`) ON DELETE SET NULL,
  CONSTRAINT `late` CHECK ((`state` <> _utf8mb4'late')) /*!80016 NOT ENFORCED */,
  CONSTRAINT `states` CHECK (((`state` in (_utf8mb4'new',_utf8mb4'it\'s')) or regexp_like(`state`,_utf8mb4'^\\w+$'))),
  CONSTRAINT `umlaut` CHECK ((`state` <> _utf8mb4'ü'))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;

--
-- Temporary view structure for view `spending`
--

DROP TABLE IF EXISTS `spending`;
/*!50001 DROP VIEW IF EXISTS `spending`*/;
SET @saved_cs_client     = @@character_set_client;
/*!50503 SET character_set_client = utf8mb4 */;
/*!50001 CREATE VIEW `spending` AS SELECT 
 1 AS `customer_id`,
 1 AS `total`*/;
SET character_set_client = @saved_cs_client;

--
-- Table structure for table `typeorm_metadata`
--

DROP TABLE IF EXISTS `typeorm_metadata`;
CREATE TABLE `typeorm_metadata` (
  `type` varchar(255) NOT NULL,
  `database` varchar(255) DEFAULT NULL,
  `schema` varchar(255) DEFAULT NULL,
  `table` varchar(255) DEFAULT NULL,
  `name` varchar(255) DEFAULT NULL,
  `value` text
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;

--
-- Dumping data for table `purchase`
--

LOCK TABLES `purchase` WRITE;
/*!40000 ALTER TABLE `purchase` DISABLE KEYS */;
/*!40000 ALTER TABLE `purchase` ENABLE KEYS */;
UNLOCK TABLES;
/*!50003 SET @saved_sql_mode       = @@sql_mode */ ;
DELIMITER ;;
/*!50003 CREATE*/ /*!50017 DEFINER=`root`@`localhost`*/ /*!50003 TRIGGER `stamp` BEFORE INSERT ON `purchase` FOR EACH ROW begin
  set new.total = 1;
end */;;
DELIMITER ;
/*!50003 SET sql_mode              = @saved_sql_mode */ ;

--
-- Dumping events for database 'shop'
--
/*!50106 SET @save_time_zone= @@TIME_ZONE */ ;
/*!50106 DROP EVENT IF EXISTS `nightly` */;
DELIMITER ;;
/*!50106 CREATE*/ /*!50117 DEFINER=`root`@`localhost`*/ /*!50106 EVENT `nightly` ON SCHEDULE EVERY 1 DAY STARTS '2025-03-01 00:00:00' ON COMPLETION NOT PRESERVE ENABLE DO delete from purchase */ ;;
DELIMITER ;

--
-- Dumping routines for database 'shop'
--
/*!50003 DROP FUNCTION IF EXISTS `discount` */;
DELIMITER ;;
CREATE DEFINER=`root`@`localhost` FUNCTION `discount`() RETURNS int
    NO SQL
return 1 ;;
CREATE DEFINER=`root`@`localhost` PROCEDURE `tidy`()
delete from purchase ;;
DELIMITER ;

--
-- Final view structure for view `spending`
--

/*!50001 DROP VIEW IF EXISTS `spending`*/;
/*!50001 SET character_set_client      = utf8mb4 */;
/*!50001 CREATE ALGORITHM=UNDEFINED */
/*!50013 DEFINER=`root`@`localhost` SQL SECURITY DEFINER */
/*!50001 VIEW `spending` AS select `purchase`.`customer_id` AS `customer_id`,sum(`purchase`.`total`) AS `total` from `purchase` where (`purchase`.`state` <> 'it\'s \\ é') group by `purchase`.`customer_id` */;
/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;

-- Dump completed on 2025-03-01  9:30:00

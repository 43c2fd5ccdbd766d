/*!40101 SET NAMES utf8mb4*/;
/*!40014 SET FOREIGN_KEY_CHECKS=0*/;
/*!40103 SET TIME_ZONE='+00:00' */;
CREATE TABLE `customer` (
  `id` bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  `email` varchar(190) NOT NULL,
  `made` timestamp NOT NULL DEFAULT current_timestamp(),
  PRIMARY KEY (`id`)
) ENGINE=InnoDB AUTO_INCREMENT=7 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
/*!40101 SET NAMES utf8mb4*/;
/*!40014 SET FOREIGN_KEY_CHECKS=0*/;
/*!40103 SET TIME_ZONE='+00:00' */;
CREATE TABLE IF NOT EXISTS `purchase` (
  `id` bigint(20) NOT NULL,
  `customer_id` bigint(20) unsigned DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci;
ALTER TABLE `purchase` ADD PRIMARY KEY (`id`), ADD KEY `by_customer` (`customer_id`);
ALTER TABLE `purchase` ADD CONSTRAINT `bought_by` FOREIGN KEY (`customer_id`) REFERENCES `customer` (`id`);
/*!40101 SET NAMES utf8mb4*/;
DROP TABLE IF EXISTS `spending`;
DROP VIEW IF EXISTS `spending`;
SET @PREV_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT;
SET character_set_client = utf8mb4;
CREATE ALGORITHM=UNDEFINED DEFINER=`root`@`127.0.0.1` SQL SECURITY DEFINER VIEW `spending` AS select `purchase`.`customer_id` AS `customer_id` from `purchase`;
SET character_set_client = @PREV_CHARACTER_SET_CLIENT;
/*!40101 SET NAMES utf8mb4*/;
CREATE TABLE IF NOT EXISTS `spending`(
`customer_id` int
) ENGINE=MEMORY;

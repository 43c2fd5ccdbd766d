CREATE TABLE `select` (`from` int AUTO_INCREMENT PRIMARY KEY, `order` varchar(20) DEFAULT 'group', `user` enum('table','"quoted"'), KEY `where` (`order`));
CREATE TABLE `o"d``d %s; DROP TABLE x` (`a'%s$1\ é` int PRIMARY KEY, `"` text, `select` int, `.` int, `a.b` int,
  CONSTRAINT `f"k` FOREIGN KEY (`select`) REFERENCES `select` (`from`), KEY `k"%` (`.`));
CREATE TABLE `User` (`Id` int AUTO_INCREMENT PRIMARY KEY, `createdAt` datetime, `ctid_` int, `日本` varchar(10));
INSERT INTO `select` VALUES (1, 'by', 'table'), (2, NULL, '"quoted"');
INSERT INTO `o"d``d %s; DROP TABLE x` VALUES (1, 'x', 2, 3, 4), (2, NULL, NULL, NULL, NULL);
INSERT INTO `User` VALUES (1, '2024-01-01', 2, '語');

CREATE TABLE `we{ird} %s "t'` (
  `i{0}d` int PRIMARY KEY,
  `d{}%` datetime NULL,
  `t"\{x}'` text,
  `n{:d}` int unsigned,
  `e{{}}` enum('{a}','%s','"') NOT NULL,
  UNIQUE KEY `u{}` (`n{:d}`),
  KEY `p%"` (`t"\{x}'`(5))
);
INSERT INTO `we{ird} %s "t'` VALUES (1, '2024-01-01', 'fine', 1, '{a}'), (2, '2020-02-03', 'a\0b', 4294967295, '%s');
INSERT IGNORE INTO `we{ird} %s "t'` VALUES (3, '0000-00-00', NULL, NULL, '"');

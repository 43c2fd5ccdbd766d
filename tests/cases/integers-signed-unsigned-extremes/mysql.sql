CREATE TABLE extremes (
  id int PRIMARY KEY,
  t tinyint, tu tinyint unsigned, s smallint, su smallint unsigned, m mediumint, mu mediumint unsigned,
  i int, iu int unsigned, b bigint, bu bigint unsigned);
INSERT INTO extremes VALUES
  (-2147483648, -128, 0, -32768, 0, -8388608, 0, -2147483648, 0, -9223372036854775808, 0),
  (0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1),
  (2147483647, 127, 255, 32767, 65535, 8388607, 16777215, 2147483647, 4294967295,
   9223372036854775807, 18446744073709551615);
INSERT INTO extremes (id) VALUES (1);

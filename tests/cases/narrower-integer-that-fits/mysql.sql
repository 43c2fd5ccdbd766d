CREATE TABLE stock (id bigint PRIMARY KEY, amount int, total bigint unsigned, kind tinyint(1));
INSERT INTO stock VALUES (-2147483648, 32767, 9223372036854775807, 1), (2147483647, -32768, 0, 0), (0, NULL, NULL, NULL);

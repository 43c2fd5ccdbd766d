CREATE TABLE notes (id int PRIMARY KEY, body text, title varchar(20), raw blob);
INSERT INTO notes VALUES (1, 'fine', 'fine', x'00'), (2, _utf8mb4 x'610062', 'fine', x'00'), (3, NULL, _utf8mb4 x'00', NULL),
  (4, _utf8mb4 x'00', NULL, NULL), (5, '\\0', '\\u0000', NULL);

CREATE TABLE notes (id int PRIMARY KEY, body text, raw blob);
INSERT INTO notes VALUES (1, 'fine', x'00'), (2, _utf8mb4 x'61006200', x'61006200'), (3, _utf8mb4 x'00', NULL);

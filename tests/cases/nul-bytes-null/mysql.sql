CREATE TABLE notes (id int PRIMARY KEY, body text);
INSERT INTO notes VALUES (1, 'fine'), (2, _utf8mb4 x'610062');

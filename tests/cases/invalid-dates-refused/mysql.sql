SET sql_mode = 'ALLOW_INVALID_DATES';
CREATE TABLE people (id int PRIMARY KEY, born date);
INSERT INTO people VALUES (1, '2023-02-29'), (2, '2024-02-29'), (3, '2024-11-31');

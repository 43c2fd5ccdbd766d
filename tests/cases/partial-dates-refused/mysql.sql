SET sql_mode = '';
CREATE TABLE people (id int PRIMARY KEY, born date, met datetime);
INSERT INTO people VALUES (1, '1980-00-00', NULL), (2, '1980-05-00', NULL), (3, '1980-05-17', '2024-00-10 10:00:00'), (4, NULL, NULL);

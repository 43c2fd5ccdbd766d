CREATE TABLE shifts (id int PRIMARY KEY, starts time NOT NULL, ends time(3));
INSERT INTO shifts VALUES (1, '00:00:00', '23:59:59.999'), (2, '08:30:00', NULL), (3, '23:59:59', '00:00:00.001');

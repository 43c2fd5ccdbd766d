CREATE TABLE shifts (id int PRIMARY KEY, lasts time);
INSERT INTO shifts VALUES (1, '08:00:00'), (2, '25:00:00'), (3, '-00:00:01'), (4, NULL);

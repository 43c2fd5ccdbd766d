CREATE TABLE users (id int PRIMARY KEY, name varchar(20), born date, score double);
INSERT INTO users VALUES (1, 'Anna', '1990-01-02', 1.5), (2, NULL, NULL, NULL);

CREATE TABLE users (id int PRIMARY KEY AUTO_INCREMENT, n int);
CREATE TABLE users_id_seq (id int PRIMARY KEY);
INSERT INTO users (n) VALUES (5), (6);
INSERT INTO users_id_seq VALUES (9);

CREATE TABLE migrations (id int AUTO_INCREMENT PRIMARY KEY, timestamp bigint NOT NULL, name varchar(255) NOT NULL);
CREATE TABLE typeorm_metadata (type varchar(255) NOT NULL, `database` varchar(255), `schema` varchar(255), `table` varchar(255), name varchar(255), value text);
CREATE TABLE users (id int PRIMARY KEY);
INSERT INTO migrations VALUES (1, 1700000000000, 'First1700000000000'), (2, 1700000000001, 'Second1700000000001');
INSERT INTO users VALUES (1);

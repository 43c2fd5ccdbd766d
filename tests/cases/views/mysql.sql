CREATE TABLE users (id int PRIMARY KEY, name varchar(20), active tinyint(1) NOT NULL);
CREATE TABLE orders (id int PRIMARY KEY, user_id int NOT NULL, total decimal(10,2));
INSERT INTO users VALUES (1, 'Anna', 1), (2, 'Bob', 0), (3, 'Zoë', 1);
INSERT INTO orders VALUES (1, 1, 9.99), (2, 1, 0.01), (3, 3, 5.00);
CREATE VIEW spent AS SELECT u.id, u.name, SUM(o.total) AS spent FROM users u JOIN orders o ON o.user_id = u.id GROUP BY u.id, u.name;
CREATE VIEW `A big spender` AS SELECT name FROM spent WHERE spent > 6;
CREATE VIEW untranslatable AS SELECT DATE_FORMAT(NOW(), '%X') AS week;

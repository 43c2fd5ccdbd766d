SET sql_mode = '';
CREATE TABLE orders (id int PRIMARY KEY, state enum('open','paid'), kind enum('a','b'));
INSERT IGNORE INTO orders VALUES (1, 'open', 'a'), (2, 'bogus', 'b'), (3, NULL, 'a'), (4, 'paid', 'b');

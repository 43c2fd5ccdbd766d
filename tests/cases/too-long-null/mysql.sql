CREATE TABLE names (id int PRIMARY KEY, name varchar(50));
INSERT INTO names VALUES (1, '0123456789'), (2, '0123456789a');

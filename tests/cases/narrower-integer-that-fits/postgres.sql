CREATE TABLE stock (id int PRIMARY KEY, amount smallint, total bigint, kind int);

CREATE TABLE prices (id int PRIMARY KEY, price numeric(10,2), big numeric(10,2));

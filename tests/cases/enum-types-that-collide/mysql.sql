CREATE TABLE a (id int PRIMARY KEY, b_c enum('x','y') NOT NULL);
CREATE TABLE a_b (id int PRIMARY KEY, c enum('p','q') NOT NULL);
CREATE TABLE a_b_c_enum (id int PRIMARY KEY);
INSERT INTO a VALUES (1, 'x'), (2, 'y');
INSERT INTO a_b VALUES (1, 'q'), (2, 'p');

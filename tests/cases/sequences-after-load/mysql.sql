CREATE TABLE orders (id int AUTO_INCREMENT PRIMARY KEY, n int);
CREATE TABLE small (id tinyint unsigned AUTO_INCREMENT PRIMARY KEY, n int);
CREATE TABLE negative (id int AUTO_INCREMENT PRIMARY KEY, n int);
CREATE TABLE second (grp int, id int AUTO_INCREMENT, PRIMARY KEY (grp, id), KEY (id));
INSERT INTO orders VALUES (1, 1), (41, 2);
INSERT INTO small VALUES (200, 1);
INSERT INTO negative VALUES (-5, 1);
INSERT INTO second VALUES (1, 9), (2, 3);

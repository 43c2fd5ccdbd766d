CREATE TABLE posts (id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, title varchar(20));
CREATE TABLE replies (id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, post_id bigint unsigned NOT NULL,
  FOREIGN KEY (post_id) REFERENCES posts (id));
INSERT INTO posts VALUES (1, 'first'), (77, 'last');
INSERT INTO replies (post_id) VALUES (77), (1);

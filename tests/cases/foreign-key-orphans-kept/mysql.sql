CREATE TABLE users (id int PRIMARY KEY);
CREATE TABLE posts (id int PRIMARY KEY, user_id int, editor_id int, CONSTRAINT by_author FOREIGN KEY (user_id) REFERENCES users (id),
  CONSTRAINT by_editor FOREIGN KEY (editor_id) REFERENCES users (id));
INSERT INTO users VALUES (1);
SET foreign_key_checks = 0;
INSERT INTO posts VALUES (1, 1, 1), (2, 7, 1), (3, NULL, NULL), (4, 8, 1);

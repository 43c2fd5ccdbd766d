CREATE TABLE users (id int PRIMARY KEY, region char(2), code int, UNIQUE KEY area (region, code));
CREATE TABLE posts (id int PRIMARY KEY, user_id int, editor_id int, owner_id int NOT NULL, region char(2), code int,
  CONSTRAINT by_author FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE SET NULL ON UPDATE CASCADE,
  CONSTRAINT by_editor FOREIGN KEY (editor_id) REFERENCES users (id) ON DELETE CASCADE,
  CONSTRAINT by_owner FOREIGN KEY (owner_id) REFERENCES users (id) ON DELETE RESTRICT ON UPDATE NO ACTION,
  CONSTRAINT by_area FOREIGN KEY (region, code) REFERENCES users (region, code));
INSERT INTO users VALUES (1, 'it', 1), (2, 'de', NULL), (3, NULL, NULL);
INSERT INTO posts VALUES (1, 1, 2, 3, 'it', 1), (2, NULL, NULL, 3, 'xx', NULL);

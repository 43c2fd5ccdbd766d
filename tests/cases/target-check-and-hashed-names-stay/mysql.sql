CREATE TABLE users (id int AUTO_INCREMENT PRIMARY KEY, email varchar(100) NOT NULL, age int, team_id int, UNIQUE KEY by_email (email),
  KEY by_age (age));
CREATE TABLE teams (id int PRIMARY KEY);
ALTER TABLE users ADD CONSTRAINT of_team FOREIGN KEY (team_id) REFERENCES teams (id);
INSERT INTO teams VALUES (1);
INSERT INTO users VALUES (1, 'a@x.org', 30, 1), (5, 'b@x.org', NULL, NULL);

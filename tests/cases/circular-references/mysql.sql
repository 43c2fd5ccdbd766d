CREATE TABLE teams (id int PRIMARY KEY, lead_id int);
CREATE TABLE people (id int PRIMARY KEY, team_id int NOT NULL, CONSTRAINT of_team FOREIGN KEY (team_id) REFERENCES teams (id));
INSERT INTO teams VALUES (1, 1), (2, NULL);
INSERT INTO people VALUES (1, 1), (2, 2);
ALTER TABLE teams ADD CONSTRAINT led_by FOREIGN KEY (lead_id) REFERENCES people (id);

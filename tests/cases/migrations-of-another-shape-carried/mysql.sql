CREATE TABLE migrations (id int AUTO_INCREMENT PRIMARY KEY, bird varchar(20), went_to varchar(20));
INSERT INTO migrations VALUES (1, 'swallow', 'Africa');

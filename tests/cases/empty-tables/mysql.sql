CREATE TABLE nothing (id int AUTO_INCREMENT PRIMARY KEY, body text, kind enum('a','b'), made datetime DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE no_key (n int);

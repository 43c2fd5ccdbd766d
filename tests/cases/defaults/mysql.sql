SET sql_mode = '';
CREATE TABLE things (
  id int PRIMARY KEY, n int NOT NULL DEFAULT -7, d decimal(10,2) DEFAULT 1.50, f double DEFAULT 1e-10,
  s varchar(40) NOT NULL DEFAULT 'it''s \\ "x"', e varchar(10) NOT NULL DEFAULT '', nul varchar(10) DEFAULT NULL,
  word varchar(20) DEFAULT 'NULL', stamp varchar(40) DEFAULT 'CURRENT_TIMESTAMP',
  b tinyint(1) DEFAULT 1, kind enum('a','b') DEFAULT 'b', tags set('x','y') DEFAULT 'x,y', bits bit(4) DEFAULT b'0101',
  day date DEFAULT '2024-02-29', at datetime DEFAULT '2024-02-29 01:02:03', t time DEFAULT '12:30:00', y year DEFAULT 2024,
  made datetime(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3), seen timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
  zero datetime NULL DEFAULT '0000-00-00 00:00:00', zero_day date NULL DEFAULT '0000-00-00');
INSERT INTO things (id, zero, zero_day) VALUES (1, NULL, NULL);

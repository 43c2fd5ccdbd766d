CREATE TABLE invoices (id int PRIMARY KEY, number int(8) unsigned zerofill, tiny tinyint(3) zerofill,
  big bigint(20) unsigned zerofill, price decimal(10,2) zerofill);
INSERT INTO invoices VALUES (1, 42, 7, 1, 1.5), (2, 4294967295, 255, 18446744073709551615, 99999999.99), (3, 0, 0, 0, 0);

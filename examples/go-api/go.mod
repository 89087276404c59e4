module example.com/subnets

go 1.26

module parcours.test/live

go 1.19

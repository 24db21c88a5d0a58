module taut.example/go-client

go 1.24

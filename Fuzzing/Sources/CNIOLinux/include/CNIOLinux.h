// Stands for the module of swift-nio that owns `struct stat` in the product; here nobody does.

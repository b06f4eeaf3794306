<?php
// A page that keeps its visitor's state in the session, as applications do.
//   /            counts the visits and shows what the session holds
//   /?name=x     remembers a name
//   /?slow=ms    keeps the session open (and locked) for so long
//   /?logout=1   destroys the session
session_start();
if (isset($_GET['logout'])) {
    session_destroy();
    exit('bye');
}
$_SESSION['visits'] = ($_SESSION['visits'] ?? 0) + 1;
if (isset($_GET['name'])) {
    $_SESSION['visitor'] = ['name' => $_GET['name'], 'roles' => ['reader', 'writer']];
}
if (isset($_GET['slow'])) {
    usleep(1000 * (int)$_GET['slow']);
}
header('Content-Type: application/json');
echo json_encode(['visits' => $_SESSION['visits'], 'visitor' => $_SESSION['visitor'] ?? null]);

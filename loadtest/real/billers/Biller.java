// A biller as a servlet: Tomcat compiles it with jakarta's API, Jetty with javax's.
import @API@.servlet.ServletException;
import @API@.servlet.http.HttpServlet;
import @API@.servlet.http.HttpServletRequest;
import @API@.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

public class Biller extends HttpServlet {
    private static final Pattern FORM = Pattern.compile("\"biller_user_key\":\"(\\w+)\\.(\\w+)\\.(\\w+)");
    private static final Pattern PAY_ID = Pattern.compile("\"pay_id\":(\\d+)");

    @Override
    protected void doPost(HttpServletRequest request, HttpServletResponse response)
            throws ServletException, IOException {
        String body = new String(request.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        Matcher form = FORM.matcher(body);
        if (!form.find()) {
            response.sendError(400);
            return;
        }
        Matcher payId = PAY_ID.matcher(body);
        if (payId.find()) {
            synchronized (Biller.class) {
                Files.writeString(Path.of("@HEARD@"), payId.group(1) + "\n",
                        StandardOpenOption.CREATE, StandardOpenOption.APPEND);
            }
        }
        byte[] answer = Files.readAllBytes(Path.of("@ANSWERS@", form.group(1)));
        boolean isPage = form.group(1).equals("page");
        response.setStatus(isPage ? 500 : 200);
        response.setContentType(isPage ? "text/html" : "application/json;charset=utf-8");
        if (form.group(3).equals("close")) {
            response.setHeader("Connection", "close");
        }
        if (form.group(2).equals("length")) {
            response.setContentLength(answer.length);
            response.getOutputStream().write(answer);
            return;
        }
        int half = answer.length / 2;
        response.getOutputStream().write(answer, 0, half);
        response.flushBuffer();
        response.getOutputStream().write(answer, half, answer.length - half);
    }
}
